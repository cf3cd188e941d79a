import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { peerPath, type Ledger } from '@bailiwick/store'

/**
 * Hands what other services on the database send to the ledger, and everything else to the API. Apart from the API,
 * because who asks is no person and no agent, and proves it in another way.
 */
export function withPeers(ledger: Ledger, api: RequestListener): RequestListener {
  const peers = getRequestListener((request) => ledger.answerPeer(request))
  return (incoming, outgoing) => {
    // It answers whatever goes wrong, and does not reject.
    if (isPeers(incoming.url)) void peers(incoming, outgoing)
    else api(incoming, outgoing)
  }
}

function isPeers(url = ''): boolean {
  return url.startsWith(peerPath) && (url.length === peerPath.length || url[peerPath.length] === '?')
}
