// An agent in a process of its own: asks for a refund of 600, and once it runs writes a line to a file.
import { appendFile } from 'node:fs/promises'
import { BailiwickClient } from 'bailiwick'

const [url, callId, ranFile] = process.argv.slice(2)
const client = new BailiwickClient({ url, key: process.env.AGENT_KEY })
const run = async ({ params, decision }) =>
  appendFile(ranFile, `${JSON.stringify({ params, decision: decision.id })}\n`)
const governed = await client.govern('issue_refund', { amount: 600 }, run, { callId })
process.stdout.write(`${JSON.stringify(governed)}\n`)
