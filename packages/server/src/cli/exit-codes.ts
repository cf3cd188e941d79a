/** It was done, or the answer is good. */
export const fine = 0
/** The answer is negative: a policy test failed, the log is broken. */
export const negative = 1
/** There is no answer: the input is wrong, or something that is needed is not there. */
export const badInput = 2

/** How a command ends. */
export type ExitCode = typeof fine | typeof negative | typeof badInput

/** For `--help`. */
export const exitCodesText = `Exit codes:
  0  done, or a good answer; for \`decide\` and \`explain\` whatever the effect, for \`check\` also with warnings
  1  a negative answer: a failing policy test, a broken log, a decision that does not come out as recorded
  2  no answer: bad input, or a service or database that cannot be reached`
