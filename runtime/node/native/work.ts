// What all steps of the set-up of native are given, and how they fail.

import type { Environment, User } from "../../../backends/cache-folder.ts";
import { FrondError } from "../../../compiler/diagnostics/error.ts";
import { report } from "../../../compiler/diagnostics/report.ts";
import type { Ran, Run } from "./run.ts";

export interface Machine extends User {
  readonly env: Environment;
  /** As `process.arch`. */
  readonly arch: string;
  /** Not musl, which TensorFlow's builds do not run with; true where it is not Linux. */
  readonly glibc: boolean;
  /** Where the user is. */
  readonly cwd: string;
  /** The Node that runs us. */
  readonly node: string;
}

export interface Work {
  readonly machine: Machine;
  readonly run: Run;
  /** One short line: a word for the step, and what is done or came of it. */
  readonly say: (step: string, text: string) => void;
}

/** `535 MB`, of a million bytes as registries count them. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Why a step failed that a program was run for. */
export const programFailed = (step: string, { out, err, signal }: Ran): FrondError => {
  const [reason, ...help] = reasonIn(`${err}\n${out}`, signal);
  return failed(step, reason!, help);
};

export const failed = (step: string, reason: string, help: readonly string[] = []): FrondError =>
  new FrondError([report("F0912", { step, reason }, null, { help })]);

const network =
  /ENOTFOUND|EAI_AGAIN|ECONN\w+|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|CERT_\w+|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Temporary failure in name resolution|Name or service not known/;

/** The reason, then lines of help. */
export function reasonIn(output: string, signal: string | null = null): readonly string[] {
  if (/ENOSPC|No space left on device|Errno 28/.test(output)) return ["the disk is full"];
  if (/EDQUOT|quota exceeded/i.test(output)) return ["there is no more room for this user"];
  if (/EACCES|EPERM|Permission denied/.test(output)) return ["something may not be written", ...gist(output)];
  if (network.test(output))
    return [
      "the network cannot be reached",
      "is there a proxy or a mirror? npm and pip use what they are configured with",
    ];
  if (signal !== null) return [`it was ended by ${signal} or took too long`];
  return ["and it said why", ...gist(output)];
}

/** The lines with an error in them, a few. */
function gist(output: string): readonly string[] {
  const lines = output.split("\n").filter(line => line.trim() !== "");
  const errors = lines.filter(line => /error/i.test(line) && !/^npm error (A complete log|code)/.test(line));
  return (errors.length > 0 ? errors : lines).slice(0, 3).map(line => line.trim().slice(0, 200));
}
