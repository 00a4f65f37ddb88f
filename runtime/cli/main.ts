#!/usr/bin/env node
// The command line's entry: connects the process's streams to `frond` and sets the exit code.

import { frond } from "./frond.ts";
import { processIo } from "./process.ts";

process.exitCode = await frond(process.argv.slice(2), processIo());
