import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const file = (name) => new URL(`./contenders/${name}.js`, import.meta.url).href

/** The express-sid under test: what `npm run build` has made. */
export const BUILD = new URL('../dist/esm/', import.meta.url).href

/** Who takes part. `needs` names a server that must be there; `isBlind` is who answers without looking. */
export const contenders = [
  { name: 'bare', label: 'bare Express', isBlind: true },
  { name: 'bare-again', label: 'bare Express again: the control', module: 'bare', isBlind: true },
  { name: 'noop', label: 'a middleware that does nothing', isBlind: true },
  { name: 'bare-eased', label: 'bare Express, classes eased as we do', isBlind: true },
  { name: 'sid-memory', label: 'express-sid, memory' },
  { name: 'sid-memory-uneased', label: 'express-sid, memory, classes not eased' },
  { name: 'sid-sqlite', label: 'express-sid, SQLite' },
  { name: 'sid-redis', label: 'express-sid, Redis (redis)', needs: 'redis' },
  { name: 'sid-ioredis', label: 'express-sid, Redis (ioredis)', needs: 'redis' },
  { name: 'sid-postgres', label: 'express-sid, Postgres', needs: 'postgres' },
  { name: 'es-memory', label: 'express-session, MemoryStore' },
  { name: 'es-memorystore', label: 'express-session, memorystore' },
  { name: 'es-redis', label: 'express-session, connect-redis', needs: 'redis' },
  { name: 'es-postgres', label: 'express-session, connect-pg-simple', needs: 'postgres' },
  { name: 'passport', label: 'passport.session, MemoryStore' },
  { name: 'cookie-session', label: 'cookie-session' },
  { name: 'iron-session', label: 'iron-session' },
  { name: 'better-auth', label: 'better-auth, Postgres', needs: 'postgres' },
  { name: 'better-auth-cached', label: 'better-auth, Postgres, cookieCache', needs: 'postgres' },
].map((one) => Object.assign(one, { module: file(one.module ?? one.name), build: BUILD }))

/**
 * The express-sid contenders once more, on another build of the package, so that a change can be compared with
 * what was: `npm run bench -- --other ../before/dist/esm --only sid-memory`.
 */
export function withBuild(all, directory) {
  const build = pathToFileURL(`${resolve(directory)}/`).href
  const tag = basename(resolve(directory).replace(/(\/dist)?\/esm$/, ''))
  const again = all
    .filter(({ name }) => name.startsWith('sid-'))
    .map((one) =>
      Object.assign({}, one, { name: `${one.name}@${tag}`, label: `${one.label} @${tag}`, build }),
    )
  return [...all, ...again]
}
