import type { Evaluation } from './evaluate.ts'
import type { Share } from './score.ts'

const head = [
  'suite',
  'policy',
  'attack calls stopped',
  'benign calls allowed',
  'sent to a person',
  'attack tasks stopped',
  'benign tasks whole',
  'pairs stopped',
  'unscored',
]

/** The evaluation as a table for people, one line for each suite. */
export function evaluationTable({ scores }: Evaluation): string {
  const rows = scores.map((score) => [
    score.suite,
    score.policy,
    shareText(score.attackCalls),
    shareText(score.benignCalls),
    shareText(score.toPerson),
    shareText(score.attackTasks),
    shareText(score.benignTasks),
    shareText(score.scenariosStopped),
    String(score.unscored),
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [
    line(head),
    ...rows.map(line),
    '',
    'Sent to a person: of the calls where the data expects that, and nothing else.',
    'Pairs stopped: of the user tasks with an injected task in their way, those where it was stopped.',
  ].join('\n')
}

function shareText({ met, of }: Share): string {
  return of === 0 ? '-' : `${met}/${of} (${((100 * met) / of).toFixed(1)} %)`
}
