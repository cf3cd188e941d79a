import type { Context } from 'hono'
import type { Caller } from '../identity/local-accounts.ts'

/**
 * Where a request comes from.
 *
 * @param proxies how many proxies in front of the service add to `X-Forwarded-For`; what comes before theirs is the
 *   client's own word
 */
export function callerOf(context: Context, proxies: number): Caller {
  return { address: addressOf(context, proxies), client: context.req.header('user-agent') ?? '' }
}

function addressOf(context: Context, proxies: number): string {
  const { incoming } = (context.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
  const direct = incoming?.socket?.remoteAddress ?? 'unknown'
  if (proxies === 0) return direct
  const forwarded = (context.req.header('x-forwarded-for') ?? '').split(',').map((part) => part.trim())
  return forwarded.at(-proxies) || direct
}
