import { useTitle } from '../clock.ts'
import { EmptyPanel } from '../parts/states.tsx'
import { Link } from '../router.tsx'

/** An address that names no page. */
export function UnknownPage() {
  useTitle('Not found', 0)
  return (
    <EmptyPanel title="There is no such page" isPage>
      <p>
        Go to the <Link to="/approvals">approvals</Link> or to the <Link to="/decisions">decisions</Link>.
      </p>
    </EmptyPanel>
  )
}
