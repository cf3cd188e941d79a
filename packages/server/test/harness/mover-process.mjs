// Moves a log in a process of its own, and kills itself where it is told to: at a step, or, for `copying`, in the middle
// of the rows.
import { moveLog } from '@bailiwick/store'

const [options, at] = process.argv.slice(2)
const die = () => process.kill(process.pid, 'SIGKILL')
await moveLog({
  ...JSON.parse(options),
  onStep: (step) => step === at && die(),
  onProgress: (done, all) => at === 'copying' && done * 2 > all && die(),
})
process.stdout.write('moved\n')
