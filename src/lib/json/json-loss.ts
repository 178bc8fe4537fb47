import { warnOnce } from '../warn-once.js'

/**
 * Warns of what JSON loses or changes without a word, such as a Map, which becomes `{}`. In development only, once for
 * each place: such a value is a mistake of the program, and shows with the first visitor.
 *
 * @param name what the value is called in the message.
 * @example warnOfLoss(user, 'user')
 */
export function warnOfLoss(value: unknown, name: string): void {
  if (process.env.NODE_ENV === 'production') return
  const loss = lossIn(value, name, MAX_LEVELS)
  if (loss === undefined) return
  warnOnce(
    'SID_JSON_LOSS',
    `${loss.path} ${loss.how}, since sessions keep JSON. Keep text, numbers, arrays and plain objects: pick them before.`,
    loss.path,
  )
}

interface Loss {
  readonly path: string
  readonly how: string
}

/** Data is refused before it is so deep. */
const MAX_LEVELS = 500

/** The first such value in it. */
function lossIn(value: unknown, path: string, levels: number): Loss | undefined {
  const how = changeOf(value)
  if (how !== undefined) return { path, how }
  if (typeof value !== 'object' || value === null || levels === 0) return undefined
  // Who defines how it looks as JSON has thought of it.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined
  for (const [key, inner] of Object.entries(value)) {
    const loss = Array.isArray(value)
      ? (holeAt(inner, `${path}[${key}]`) ?? lossIn(inner, `${path}[${key}]`, levels - 1))
      : lossIn(inner, `${path}.${key}`, levels - 1)
    if (loss !== undefined) return loss
  }
  return undefined
}

/** What JSON has no word for is left out of an object, which reads the same. In an array it becomes `null`. */
function holeAt(value: unknown, path: string): Loss | undefined {
  if (value === undefined) return { path, how: 'is undefined and comes back as null' }
  const isHole = typeof value === 'function' || typeof value === 'symbol'
  return isHole ? { path, how: `is a ${typeof value} and comes back as null` } : undefined
}

function changeOf(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `is ${value} and comes back as null`
  if (typeof value !== 'object' || value === null) return undefined
  if (ArrayBuffer.isView(value)) return 'holds bytes and comes back as a plain object'
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  if (kind === 'Date') return 'is a Date and comes back as text'
  return emptied.has(kind) ? `is a ${kind} and comes back as {}` : undefined
}

const emptied = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'RegExp', 'Error', 'Promise', 'ArrayBuffer'])
