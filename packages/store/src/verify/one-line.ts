/** A text that whoever tampered may have written, for a message on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]/gu, ' ').slice(0, 300)
}
