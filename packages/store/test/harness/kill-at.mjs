// Loaded before a program and its threads: kills the process with `kill -9` at the call that `KILL_AT` describes, a
// statement to the database or a file that gets its name, before it or once it is done.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import pg from 'pg'

const { statement, file, when } = JSON.parse(process.env.KILL_AT ?? '{}')
const die = () => process.kill(process.pid, 'SIGKILL')
const isIt = (text, wanted) => wanted !== undefined && text.includes(wanted)

class Client extends pg.Client {
  query(...args) {
    const [what] = args
    const hit = isIt(String(typeof what === 'string' ? what : (what?.text ?? '')), statement)
    if (hit && when === 'before') die()
    const done = super.query(...args)
    if (hit) void done.then(die)
    return done
  }
}
pg.Client = Client

const { rename } = fs.promises
fs.promises.rename = async (from, to) => {
  const hit = isIt(String(to), file)
  if (hit && when === 'before') die()
  await rename(from, to)
  if (hit) die()
}
syncBuiltinESMExports()
