// What calls and approvals are in words, for the console and for messages alike. Nothing here reaches for Node, so that
// the console can have it too.
export {
  callLeaves,
  cardFieldsOf,
  fieldsOf,
  isAmount,
  jsonText,
  mainLeaves,
  numberText,
  summaryOf,
  type CallLeaf,
  type Field,
  type Presentation,
} from './approval/fields.ts'
export { reasonText, routeText, rulePlaceText } from './approval/rule-words.ts'
export { durationText, humanName, timeWords, visibleText } from './approval/words.ts'
