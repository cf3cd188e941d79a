/** The bytes of base64url without padding, or undefined for anything else: one text for each sequence of bytes. */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // The decoder skips what it does not know; whoever writes the same bytes in two ways writes two records.
  return bytes.toString('base64url') === text ? bytes : undefined
}
