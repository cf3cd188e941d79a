import type pg from 'pg'

/**
 * Connects the client for the time of `work`, and ends it. A connection that breaks rejects, at the statement
 * that was under way or at the next one; it never brings the process down.
 */
export async function whileConnected<Result>(
  client: pg.Client,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  // Without a listener, Node ends the process when a server that stops says so to a client at rest.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
  }
}
