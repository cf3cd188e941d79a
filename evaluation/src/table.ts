import type { Evaluation } from './evaluate.ts'
import type { Share } from './score.ts'

const head = [
  'suite',
  'attack calls stopped',
  'benign calls allowed',
  'sent to a person',
  'attack tasks stopped',
  'benign tasks whole',
  'unscored',
]

/** The evaluation as a table for people, one line for each suite. */
export function evaluationTable({ scores, scenariosStopped }: Evaluation): string {
  const rows = scores.map((score) => [
    score.suite,
    shareText(score.attackCalls),
    shareText(score.benignCalls),
    shareText(score.toPerson),
    shareText(score.attackTasks),
    shareText(score.benignTasks),
    String(score.unscored),
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  const { met, of } = scenariosStopped
  return [
    line(head),
    ...rows.map(line),
    '',
    `Injected tasks stopped in each user task that they were injected into: ${met} of ${of}.`,
    '"Sent to a person": of the calls where the data expects that, and nothing else.',
  ].join('\n')
}

function shareText({ met, of }: Share): string {
  return of === 0 ? '-' : `${met}/${of} (${((100 * met) / of).toFixed(1)} %)`
}
