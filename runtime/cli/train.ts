// frond train: trains a model on data and saves its weights after every epoch.

import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { checkWritable, writeAtomically } from "../node/files.ts";
import { formatScores, formatTime, Progress } from "../progress.ts";
import type { Scores } from "../scores.ts";
import type { Session } from "../session.ts";
import type { EpochEvent } from "../train.ts";
import { command } from "./command.ts";
import { Inputs, required } from "./inputs.ts";
import type { Io } from "./io.ts";
import { count, positive, text } from "./options.ts";
import { plural, printJson } from "./print.ts";
import { openSession, sessionOptions, warnAboutData } from "./training.ts";

export const train = command({
  name: "train",
  summary: "train a model on data",
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Trains by the model's `train` block; options override its settings. With --save, the weights and\nthe optimiser's state are written after every epoch, and --resume goes on from there exactly.\nCtrl-C stops; what was learned up to the last whole epoch is kept.",
  options: {
    ...sessionOptions,
    valid: text("FILE", "data to evaluate on after every epoch"),
    epochs: count("N", "passes through the data, those before --resume included"),
    rate: positive("X", "the optimiser's learning rate"),
    save: text("FILE", "where to write the weights (safetensors)"),
    resume: text("FILE", "go on from what --save wrote"),
  },
  examples: [
    "frond train tagger.frond --data train.npz --valid valid.npz --save tagger.safetensors",
    "frond train tagger.frond --data train.npz --epochs 20 --rate 3e-4 --seed 1",
    "frond train tagger.frond --data train.npz --resume tagger.safetensors --save tagger.safetensors --epochs 40",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const dataFile = required(values.data, "train", "--data");
    if (values.save !== null) checkWritable(values.save);
    const session = await openSession(positionals[0]!, values, inputs, io);
    if (values.resume !== null)
      session.load(await inputs.weights(values.resume), values.resume, { resume: true });
    const data = await inputs.data(dataFile);
    await warnAboutData(data, session.trainProgram(), io);
    const validation = values.valid === null ? null : await inputs.data(values.valid);
    const progress = values.quiet || values.json ? null : await newProgress(io);
    const stop = new AbortController();
    const release = io.onInterrupt(() => stop.abort());
    const started = io.now();
    try {
      const history = await session.train(data, {
        ...given({ epochs: values.epochs, batch: values.batch, rate: values.rate }),
        ...(validation === null ? {} : { validation }),
        signal: stop.signal,
        onEvent: async event => {
          progress?.show(event);
          // Lets Ctrl-C and the terminal have their turn between two steps.
          if (event.kind === "step") await new Promise(resolve => setImmediate(resolve));
        },
        onCheckpoint: () => save(session, values.save),
      });
      progress?.finish();
      const seconds = (io.now() - started) / 1000;
      finish(
        session,
        history,
        { seconds, stopped: stop.signal.aborted, save: values.save, json: values.json },
        io,
      );
      return 0;
    } finally {
      progress?.finish();
      release();
      session.dispose();
    }
  },
});

function save(session: Session, path: string | null): void {
  if (path !== null) writeAtomically(path, writeSafetensors(session.checkpoint()));
}

async function newProgress(io: Io): Promise<Progress> {
  const { default: colors } = await import("picocolors");
  const { dim } = colors.createColors(io.err.color);
  const { terminal, columns, write } = io.err;
  return new Progress({ live: terminal, columns, write, now: io.now, dim });
}

interface Ending {
  readonly seconds: number;
  readonly stopped: boolean;
  readonly save: string | null;
  readonly json: boolean;
}

function finish(session: Session, history: readonly EpochEvent[], ending: Ending, io: Io): void {
  const { seconds, stopped, json } = ending;
  // A run that was stopped in its first epoch has written nothing.
  const saved = history.length > 0 ? ending.save : null;
  const { model, backend } = session;
  if (json) {
    const epochs = history.map(({ place, train, validation }) => ({
      epoch: place.epoch,
      train: scoresJson(train),
      validation: validation === null ? null : scoresJson(validation),
    }));
    printJson({ model: model.name, backend: backend.name, seconds, stopped, saved, epochs }, io.out);
    return;
  }
  const last = history.at(-1);
  const scores = last === undefined ? "" : `: ${formatScores(last.validation ?? last.train)}`;
  const how = `${stopped ? "stopped after" : "trained"} ${plural(history.length, "epoch")} on ${backend.name}`;
  io.out.write(`${model.name}: ${how} in ${formatTime(seconds)}${scores}\n`);
  if (saved !== null) io.out.write(`saved ${saved}\n`);
}

export const scoresJson = ({ loss, metrics }: Scores): unknown => ({ loss, ...Object.fromEntries(metrics) });

/** Without the entries that are null. */
function given<K extends string>(
  entries: Readonly<Record<K, number | null>>,
): { readonly [N in K]?: number } {
  const kept = Object.entries<number | null>(entries).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as { [N in K]?: number };
}
