import type * as index from 'express-sid'
import type * as encrypted from 'express-sid/encrypted'
import type * as expressSession from 'express-sid/express-session'
import type * as mysql from 'express-sid/mysql'
import type * as postgres from 'express-sid/postgres'
import type * as redis from 'express-sid/redis'
import type * as sqlite from 'express-sid/sqlite'
import type * as dictionaryMode from '../../src/http/request/dictionary-mode.js'

/** The modules of the built package that the benchmark loads. Their types are those of the source. */
interface Modules {
  index: typeof index
  'stores/sqlite/index': typeof sqlite
  'stores/redis/index': typeof redis
  'stores/postgres/index': typeof postgres
  'stores/mysql/index': typeof mysql
  'stores/encrypted/index': typeof encrypted
  'express-session/index': typeof expressSession
  // The one part of the package's inside that is measured by itself.
  'http/request/dictionary-mode': typeof dictionaryMode
}

/** The build that is measured by default: what `npm run build` has made. */
export const BUILD = new URL('../../../dist/esm/', import.meta.url).href

/** Loads a module of a build. A build is the URL of its `dist/esm/`. */
export function load<Name extends keyof Modules>(build: string, name: Name): Promise<Modules[Name]> {
  return import(`${build}${name}.js`)
}
