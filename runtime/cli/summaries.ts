// The commands and what each does, in the order in which they are used. Beside the commands, so that `frond --help`
// need not load them.

export const summaries = {
  check: "report what is wrong with programs",
  summary: "list a model's layers, and the operations and memory that it takes",
  bench: "time a model on random data, and say which equations take the time",
  dump: "print a model after a stage of the compiler",
  gradcheck: "compare a model's gradients with central differences",
  diff: "compare two backends on a model, and say at which equation they part",
  train: "train a model on data",
  eval: "compute a model's loss and metrics on data",
  run: "compute a model's outputs for data, or let it generate",
  backends: "list where programs can run on this machine",
  setup: "install what the backend native needs",
} as const;

export type CommandName = keyof typeof summaries;
