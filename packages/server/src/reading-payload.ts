import { canonicalJson, type JsonObject } from '@bailiwick/core'

/**
 * The payload of a record that somebody was shown records. Which text was searched for is not in it, only that one was: it may
 * be anybody's name, and no erasure of a call would find it there.
 *
 * @param filter what was searched for; null where nothing was
 * @param reason why what is sensitive was shown; null where it was not
 */
export function readingPayload(filter: JsonObject | null, reason: string | null): string {
  const kept = filter?.['text'] === undefined ? filter : { ...filter, text: true }
  return canonicalJson({ filter: kept, reason })
}
