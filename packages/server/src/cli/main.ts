#!/usr/bin/env node
import { processPorts } from './ports.ts'
import { runCli } from './run.ts'

process.exitCode = await runCli(process.argv.slice(2), processPorts())
