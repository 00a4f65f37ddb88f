// frond train: trains a model on data and saves its weights after every epoch.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { formatBytes } from "../bytes.ts";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Fit } from "../executables.ts";
import { checkWritable, writeAtomically } from "../node/files.ts";
import { formatScores, formatTime, Progress } from "../progress.ts";
import type { Scores } from "../scores.ts";
import type { Session } from "../session.ts";
import type { EpochEvent } from "../train.ts";
import { exclusive } from "./arguments.ts";
import { command, type ExitCode } from "./command.ts";
import { Inputs, required } from "./inputs.ts";
import type { Io, Output } from "./io.ts";
import { count, inputFile, positive, text } from "./options.ts";
import { plural, printJson } from "./print.ts";
import { summaries } from "./summaries.ts";
import { openSession, sessionOptions, warnAboutData } from "./training.ts";

export const train = command({
  name: "frond train",
  summary: summaries.train,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Trains by the model's `train` block; options override its settings. With --save, the weights and\nthe optimiser's state are written after every epoch, and --resume goes on from there exactly.\nCtrl-C stops; what was learned up to the last whole epoch is kept.",
  options: {
    ...sessionOptions,
    valid: inputFile("data to evaluate on after every epoch"),
    epochs: count("N", "passes through the data, those before --resume included"),
    rate: positive("X", "the optimiser's learning rate"),
    save: text("FILE", "where to write the weights (safetensors)"),
    resume: inputFile("go on from what --save wrote"),
  },
  examples: [
    "frond train tagger.frond --data train.npz --valid valid.npz --save tagger.safetensors",
    "frond train tagger.frond --data train.npz --epochs 20 --rate 3e-4 --seed 1",
    "frond train tagger.frond --data train.npz --resume tagger.safetensors --save tagger.safetensors --epochs 40",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    required(values.data, "frond train", "--data");
    if (values.weights !== null && values.resume !== null) throw exclusive("--weights", "`--resume`");
    if (values.save !== null) checkWritable(values.save);
    const use = { io, use: "train" } as const;
    const { session, data } = await openSession("frond train", positionals[0]!, values, inputs, use);
    try {
      if (values.resume !== null)
        session.load(await inputs.weights(values.resume), values.resume, { resume: true });
      await warnAboutData(data!, session.trainProgram(), io);
      const validation = values.valid === null ? null : await inputs.data(values.valid);
      return await learn(session, data!, validation, values, io);
    } finally {
      session.dispose();
    }
  },
});

interface TrainValues {
  readonly epochs: number | null;
  readonly batch: number | null;
  readonly rate: number | null;
  readonly memory: number | null;
  readonly save: string | null;
  readonly quiet: boolean;
  readonly json: boolean;
}

async function learn(
  session: Session,
  data: Dataset,
  validation: Dataset | null,
  { epochs, batch, rate, memory, save, quiet, json }: TrainValues,
  io: Io,
): Promise<ExitCode> {
  const progress = quiet || json ? null : await newProgress(io.err, io.now);
  const stop = new AbortController();
  const release = io.onInterrupt(() => stop.abort());
  const started = io.now();
  let savedAt: number | null = null;
  try {
    const history = await session.train(data, {
      ...given({ epochs, batch, rate }),
      ...(validation === null ? {} : { validation }),
      signal: stop.signal,
      onEvent: async event => {
        progress?.show(event);
        // Lets Ctrl-C and the terminal have their turn between two steps.
        if (event.kind === "step") await new Promise(resolve => setImmediate(resolve));
      },
      onCheckpoint: () => {
        if (save === null) return;
        writeAtomically(save, writeSafetensors(session.checkpoint()));
        savedAt = session.epoch;
      },
    });
    progress?.finish();
    const seconds = (io.now() - started) / 1000;
    const wanted = epochs ?? session.trainConfig.epochs;
    return finish(
      session,
      history,
      { seconds, stopped: stop.signal.aborted, epochs: wanted, memory, save, json },
      io,
    );
  } catch (error) {
    throw savedAt === null ? error : withWayOn(error, `\`--resume ${save}\` goes on after epoch ${savedAt}`);
  } finally {
    progress?.finish();
    release();
  }
}

/** What ended a training, with how to go on from what was saved. */
function withWayOn(error: unknown, help: string): unknown {
  if (!(error instanceof FrondError)) return error;
  const [first, ...others] = error.diagnostics;
  return first === undefined ? error : new FrondError([{ ...first, help: [...first.help, help] }, ...others]);
}

/** The progress of a training, live on a terminal. */
export async function newProgress(output: Output, now: Io["now"]): Promise<Progress> {
  const { default: colors } = await import("picocolors");
  const { dim } = colors.createColors(output.color);
  const { terminal, write } = output;
  // The terminal may change its width while it runs.
  return new Progress({ live: terminal, columns: () => output.columns, write, now, dim });
}

interface Ending {
  readonly seconds: number;
  readonly stopped: boolean;
  /** The last epoch that was asked for. */
  readonly epochs: number;
  /** What was allowed. */
  readonly memory: number | null;
  readonly save: string | null;
  readonly json: boolean;
}

/** Tells how it ended; 1 when it was stopped before anything was learned. */
function finish(session: Session, history: readonly EpochEvent[], ending: Ending, io: Io): ExitCode {
  const { seconds, stopped, json } = ending;
  const saved = history.length > 0 ? ending.save : null;
  const { model, backend } = session;
  if (json) {
    const epochs = history.map(({ place, train, validation }) => ({
      epoch: place.epoch,
      train: scoresJson(train),
      validation: validation === null ? null : scoresJson(validation),
    }));
    const memory = session.fit === null ? {} : { memory: { ...session.fit, allowed: ending.memory } };
    printJson(
      { model: model.name, backend: backend.name, seconds, stopped, saved, ...memory, epochs },
      io.out,
    );
  } else {
    io.out.write(`${model.name}: ${sentence(session, history, ending)}\n`);
    if (session.fit !== null) io.out.write(`${memoryText(session.fit, ending.memory!)}\n`);
    if (saved !== null) io.out.write(`saved ${saved}\n`);
  }
  return stopped && history.length === 0 ? 1 : 0;
}

function sentence({ backend, epoch }: Session, history: readonly EpochEvent[], ending: Ending): string {
  const { stopped, epochs, seconds, save } = ending;
  const last = history.at(-1);
  if (last !== undefined) {
    const how = `${stopped ? "stopped after" : "trained"} ${plural(history.length, "epoch")}`;
    const scores = formatScores(last.validation ?? last.train);
    return `${how} on ${backend.name} in ${formatTime(seconds)}: ${scores}`;
  }
  if (!stopped)
    return `nothing to do: ${epoch} of ${epochs} epochs are done already (\`--epochs N\` goes on)`;
  return `stopped before the end of an epoch: nothing was learned${save === null ? "" : ", nothing saved"}`;
}

const memoryText = ({ level, bytes }: Fit, allowed: number): string =>
  `built ${level}: took ${formatBytes(bytes)} of memory at the most, ${formatBytes(allowed)} allowed`;

export const scoresJson = ({ loss, metrics }: Scores): unknown => ({ loss, ...Object.fromEntries(metrics) });

/** Without the entries that are null. */
function given<K extends string>(
  entries: Readonly<Record<K, number | null>>,
): { readonly [N in K]?: number } {
  const kept = Object.entries<number | null>(entries).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as { [N in K]?: number };
}
