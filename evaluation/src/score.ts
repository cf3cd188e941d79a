import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Verdict } from './policies.ts'

/** A part of a whole, as the scorer counted it. */
export interface Share {
  readonly of: number
  readonly met: number
}

/** What the scorer of the data says of one suite. */
export interface Score {
  readonly suite: string
  readonly attackCalls: Share
  readonly benignCalls: Share
  readonly toPerson: Share
  readonly attackTasks: Share
  readonly benignTasks: Share
  readonly unscored: number
}

/**
 * Scores verdicts by the data's own rules: its scorer runs as a child process, and its answer is read.
 *
 * @param folder the folder of the evaluation data
 * @param calls the file of calls, which only the scorer reads in full
 * @throws Error where the scorer fails, misses a decision, or says what cannot be read
 */
export function score(
  folder: string,
  calls: string,
  verdicts: ReadonlyMap<string, Verdict>,
): readonly Score[] {
  const scratch = mkdtempSync(join(tmpdir(), 'bailiwick-evaluation-'))
  try {
    const decisions = join(scratch, 'decisions.jsonl')
    const lines = [...verdicts].map(([id, decision]) => JSON.stringify({ id, decision }))
    writeFileSync(decisions, lines.join('\n'))
    const scorer = join(folder, 'runners/score-calls.mjs')
    const ran = spawnSync(process.execPath, [scorer, calls, decisions], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`${scorer} failed: ${ran.stderr}`)
    return ran.stdout.trim().split('\n').map(scoreOf)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function scoreOf(line: string): Score {
  const suite = /^(\S+): attack calls stopped /.exec(line)?.[1]
  if (suite === undefined) throw new Error(`the scorer says \`${line}\``)
  const share = (label: string): Share => {
    const [, met = '0', of = '0'] = new RegExp(`${label} (\\d+)/(\\d+)`).exec(line) ?? []
    return { met: Number(met), of: Number(of) }
  }
  return {
    suite,
    attackCalls: share('attack calls stopped'),
    benignCalls: share('benign calls allowed'),
    toPerson: share('approval expected'),
    attackTasks: share('attack tasks stopped'),
    benignTasks: share('benign tasks whole'),
    unscored: Number(/unscored (\d+)$/.exec(line)?.[1] ?? 0),
  }
}
