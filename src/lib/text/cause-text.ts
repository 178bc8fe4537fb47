import { cleanText } from './clean-text.js'

const MAX_CHARACTERS = 300

/**
 * What an error says, for the message of the error that it caused: on one line, within 300 characters, and without
 * what may be a secret. `undefined` where it says nothing.
 *
 * @example causeText(new Error('connect ECONNREFUSED redis://app:secret@db')) // 'connect ECONNREFUSED redis://***@db'
 */
export function causeText(cause: unknown): string | undefined {
  const text = messageOf(cause)?.trim()
  if (text === undefined || text === '') return undefined
  // Redacted before it is cut: half of a secret would no longer look like one.
  const line = redacted(text.slice(0, 3 * MAX_CHARACTERS).replaceAll(/\s+/g, ' '))
  return cleanText(line, MAX_CHARACTERS)
}

function messageOf(cause: unknown): string | undefined {
  if (typeof cause === 'string') return cause
  if (!(cause instanceof Error)) return undefined
  if (cause.message !== '') return cause.message
  // Node's error where no address of a host could be reached.
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).filter(Boolean).join('; ')
  const { code } = cause as { code?: unknown }
  return typeof code === 'string' ? code : cause.name
}

/** Credentials of an address, values of what is named like a secret, and what looks like a token, a key or a hash. */
const secrets: readonly [RegExp, string][] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1***@'],
  [
    /\b(\w*(?:password|passwd|pwd|secret|token|api[-_]?key))(["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&]+)/gi,
    '$1$2***',
  ],
  [/[\w+-]{40,}={0,2}/g, '***'],
  [/\b[0-9a-f]{32,}\b/gi, '***'],
]

function redacted(text: string): string {
  return secrets.reduce((redactedSoFar, [pattern, by]) => redactedSoFar.replaceAll(pattern, by), text)
}
