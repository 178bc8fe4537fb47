import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CliError } from '../io.js'

/** A driver of the app, with the name of its package. */
export interface Driver<T> {
  readonly name: string
  readonly module: T
}

/**
 * The first of these drivers that the app has installed. It is looked for as the app itself would find it.
 *
 * @throws CliError where there is none.
 */
export function driverOf<T>(cwd: string, names: readonly string[]): Driver<T> {
  const require = createRequire(join(cwd, 'package.json'))
  for (const name of names) {
    try {
      return { name, module: require(name) as T }
    } catch (error) {
      const { code } = error as { code?: unknown }
      const isMissing = code === 'MODULE_NOT_FOUND' || code === 'ERR_UNKNOWN_BUILTIN_MODULE'
      if (!isMissing)
        throw new CliError('NO_DRIVER', `The driver ${name} could not be loaded.`, { cause: error })
    }
  }
  const wanted = names.find((name) => !name.startsWith('node:'))
  throw new CliError(
    'NO_DRIVER',
    `No driver for this store is installed in ${cwd}: none of ${names.join(', ')}. ` +
      `Run this where your app is, or npm install ${wanted}.`,
  )
}

/** The version of a package of the app; `undefined` where it is not installed. */
export function versionOf(cwd: string, name: string): string | undefined {
  const require = createRequire(join(cwd, 'package.json'))
  for (const path of require.resolve.paths(name) ?? []) {
    try {
      return (require(join(path, name, 'package.json')) as { version: string }).version
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}
