import { isAbsolute, relative, resolve, sep } from 'node:path'

/**
 * The file as seen from `directory`, which is where CI runs commands: the repository's root. With slashes; absolute
 * where it lies elsewhere.
 */
export function pathInRepository(file: string, directory: string): string {
  const absolute = resolve(directory, file)
  const path = relative(directory, absolute)
  const outside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
  return (outside ? absolute : path).split(sep).join('/')
}
