import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take a minute or near it. Whatever starts last, the other worker waits for. */
const long =
  /\/(data-directory|everyone|focus|long-list|operating|service|engine|folds|differential|mutants|console|inbox|explanation|tampering|passkeys|sign-in|together|migrate-to|readme|many-waiting|answering|folds-property|archive|cli\/log)\.test\.ts$/

/** Runs the long files first, and the others in the usual order. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId)
    return [...usual.filter(isLong), ...usual.filter((file) => !isLong(file))]
  }
}
