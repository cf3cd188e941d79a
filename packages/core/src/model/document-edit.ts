import type { Json } from './json.ts'

/** A place in a YAML file: keys and indices from its root. */
export type EditPath = readonly (string | number)[]

/**
 * One change of a YAML file, said in terms of its content and not of its characters, so that several can be made
 * one after another. Comments and formatting are the business of whoever carries it out.
 */
export type DocumentChange =
  | {
      readonly kind: 'add'
      /** The map that gets the entry; made where it is absent. */
      readonly map: EditPath
      readonly key: string
      readonly value: Json
      /** Keys of the root before which a map that has to be made belongs; without one of them, it comes last. */
      readonly before: readonly string[]
    }
  | {
      /** Removes an item of a list. */
      readonly kind: 'remove'
      readonly item: EditPath
      /** What stands there; where it is something else by now, nothing is removed. */
      readonly value: string
    }

/** A change that mends a problem. */
export interface DocumentEdit {
  /** What it does, to be read after "fixed:": `declares the fact refund_amount`. */
  readonly title: string
  /**
   * Whether it may be made without asking: it leaves every decision as it is. Whatever may change what a policy
   * allows is for its author to decide, however likely the guess.
   */
  readonly safe: boolean
  readonly change: DocumentChange
}
