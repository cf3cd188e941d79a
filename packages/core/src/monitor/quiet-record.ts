/**
 * Whether a record certainly causes no notice, told from its canonical JSON without parsing it: an allowed decision with
 * nothing beside it, as most records of a log are. `false` says nothing.
 *
 * Names of members are looked for with their quotes, which inside a string of JSON are escaped: no text that a caller
 * chose can look like one.
 */
export function causesNoNotice(recordText: string): boolean {
  return recordText.includes('"kind":"decision"') && !loud.test(recordText)
}

const loud = /"(?:effect":"(?:deny|escalate)"|shadow":|obligations":)/
