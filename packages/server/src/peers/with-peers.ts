import { peerPath, type Ledger } from '@bailiwick/store'

type Fetch = (request: Request) => Response | Promise<Response>

/**
 * Hands what other services on the database send to the ledger, and everything else to the API. Apart from the API,
 * because who asks is no person and no agent, and proves it in another way.
 */
export function withPeers(ledger: Ledger, api: Fetch): Fetch {
  return (request) =>
    request.url.endsWith(peerPath) && new URL(request.url).pathname === peerPath
      ? ledger.answerPeer(request)
      : api(request)
}
