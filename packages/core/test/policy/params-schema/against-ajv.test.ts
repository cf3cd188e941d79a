import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compiled } from './compiled.ts'
import { drawFrom, RandomSchemas } from './random-schema.ts'

const schemasTried = 400
const valuesEach = 25

function ajvCheck(schema: object): (value: unknown) => boolean {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTuples: false,
    ownProperties: true,
  })
  const validate = ajv.compile(schema)
  return (value) => validate(value)
}

describe('random schemas of the subset', () => {
  test('accept and refuse what ajv accepts and refuses', () => {
    const tally = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new RandomSchemas(drawFrom(seed))
        const schema = random.root()
        const ours = compiled(schema)
        const theirs = ajvCheck(schema)
        for (let count = 0; count < valuesEach; count++) {
          const value = count % 5 === 0 ? random.json(3) : random.value(schema)
          const accepted = ours.accepts(value)
          if (accepted !== theirs(value)) {
            throw new Error(`${accepted ? 'accepts' : 'refuses'} ${JSON.stringify({ schema, value })}`)
          }
          tally[accepted ? 'accepted' : 'refused']++
        }
      }),
      { seed: 20_260_101, numRuns: schemasTried },
    )
    expect(tally.accepted).toBeGreaterThan(schemasTried * valuesEach * 0.15)
    expect(tally.refused).toBeGreaterThan(schemasTried * valuesEach * 0.15)
  })
})
