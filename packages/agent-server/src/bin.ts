#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';
import { contextOf } from './run-server.ts';

process.exitCode = await runCommandLine('agentapi-proxy-agent', process.argv.slice(2), contextOf(process));
