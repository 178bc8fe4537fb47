import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUILD } from './lib/built.js'
import type { ServerName } from './lib/servers.js'

/** Who takes part in the comparison over HTTP. */
export interface Contender {
  readonly name: string
  readonly label: string
  /** The URL of the module that mounts it on an Express app. */
  readonly module: string
  /** The build of the package, for those that use it. */
  readonly build: string
  /** A server that must run. */
  readonly needs: ServerName | undefined
  /** `blindly`: it never looks who asks. `withoutCookie`: its browsers send no cookie under load. */
  readonly asks: 'blindly' | 'withoutCookie' | undefined
  /** The versions of Node for which it makes sense. */
  readonly nodes: readonly [from: number, to: number]
}

type About = Partial<Omit<Contender, 'module'>> & { module?: string }

function contender(name: string, label: string, { module = name, ...about }: About = {}): Contender {
  const url = new URL(`./contenders/${module}.js`, import.meta.url).href
  return {
    name,
    label,
    build: BUILD,
    needs: undefined,
    asks: undefined,
    nodes: [0, Infinity],
    ...about,
    module: url,
  }
}

/** Bare Express and the controls. Every run has the first two: what they differ by is noise. */
const controls = [
  contender('bare', 'bare Express', { asks: 'blindly' }),
  contender('bare-again', 'bare Express again: the control', { module: 'bare', asks: 'blindly' }),
  contender('noop', 'a middleware that does nothing', { asks: 'blindly' }),
  contender('deferred', 'bare behind setImmediate(next)', { asks: 'blindly' }),
  contender('eased', 'bare with dictionary mode', { asks: 'blindly', nodes: [0, 22] }),
  contender('noop-no-cookie', 'does nothing, no cookie', { asks: 'withoutCookie' }),
]

const ours = [
  contender('sid-memory', 'express-sid, memory'),
  contender('sid-memory-write', 'express-sid, memory, writes'),
  contender('sid-memory-heard', 'express-sid, memory, listeners'),
  contender('sid-sqlite', 'express-sid, SQLite (libsql)'),
  contender('sid-node-sqlite', 'express-sid, SQLite (node:sqlite)', { nodes: [24, Infinity] }),
  contender('sid-encrypted', 'express-sid, SQLite (libsql), encrypted'),
  contender('sid-redis', 'express-sid, Redis (redis)', { needs: 'redis' }),
  contender('sid-ioredis', 'express-sid, Redis (ioredis)', { needs: 'redis' }),
  contender('sid-postgres', 'express-sid, Postgres', { needs: 'postgres' }),
  contender('sid-drop-in', 'the drop-in, memory'),
  contender('sid-drop-in-write', 'the drop-in, memory, writes'),
  contender('sid-drop-in-connect', 'the drop-in, MemoryStore'),
  contender('sid-drop-in-connect-write', 'the drop-in, MemoryStore, writes'),
  contender('sid-no-cookie', 'express-sid, no cookie', { module: 'sid-memory', asks: 'withoutCookie' }),
]

const peers = [
  contender('es-memory', 'express-session, MemoryStore'),
  contender('es-memory-write', 'express-session, MemoryStore, writes'),
  contender('es-redis', 'express-session, connect-redis', { needs: 'redis' }),
  contender('es-postgres', 'express-session, connect-pg-simple', { needs: 'postgres' }),
  contender('passport', 'passport.session, MemoryStore'),
  contender('cookie-session', 'cookie-session'),
  contender('iron-session', 'iron-session'),
  contender('better-auth', 'better-auth, Postgres', { needs: 'postgres' }),
  contender('better-auth-cached', 'better-auth, Postgres, cookieCache', { needs: 'postgres' }),
]

export const contenders: readonly Contender[] = [...controls, ...ours, ...peers]

/** The store of the slow-store test. It takes no part in the comparison. */
export const slowStore = (label: string): Contender => contender('sid-slow', label)

/** Those that a name of the command line means. `memory` is short for `sid-memory`. */
export function named(name: string): Contender {
  const found = contenders.find((one) => one.name === name || one.name === `sid-${name}`)
  if (found) return found
  throw new Error(
    `There is no contender ${name}. There are: ${contenders.map((one) => one.name).join(', ')}.`,
  )
}

/**
 * The express-sid contenders once more, on another build of the package, so that a change can be compared with
 * what was before: `npm run bench -- --other ../before/dist/esm --only memory`.
 */
export function withBuild(all: readonly Contender[], directory: string): Contender[] {
  const build = pathToFileURL(`${resolve(directory)}/`).href
  const tag = basename(resolve(directory).replace(/(\/dist)?\/esm$/, ''))
  const again = all
    .filter(({ name }) => name.startsWith('sid-'))
    .map((one) =>
      Object.assign({}, one, { name: `${one.name}@${tag}`, label: `${one.label} @${tag}`, build }),
    )
  return [...all, ...again]
}
