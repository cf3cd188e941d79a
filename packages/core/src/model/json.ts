/** Any JSON value. Numbers are finite: NaN and the infinities have no JSON form. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json
}
