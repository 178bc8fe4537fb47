import type { Attributes, Counter, Meter } from '@opentelemetry/api'
import type { AnySessionEvent } from '../core/events/types.js'

/** A counter by its name, and what an event adds to it. No attribute holds an id, an address or a text from outside. */
type Count = readonly [counter: string, attributes: Attributes]

/**
 * Counts events. What is unknown here, such as an event of a later version, is not counted.
 *
 * @param loginReasons the reasons of refused logins that are told apart.
 * @example sessions.on('event', eventMetrics(meter, ['locked']))
 */
export function eventMetrics(
  meter: Meter,
  loginReasons: readonly string[],
): (event: AnySessionEvent) => void {
  const counters: Record<string, Counter> = {
    logins: meter.createCounter('express_sid.logins', {
      description: 'Logins, by outcome: ok or refused; refused ones by reason.',
    }),
    ended: meter.createCounter('express_sid.sessions.ended', {
      description:
        'Sessions that ended, by cause. What a store forgets by itself, as Redis does, is not among them.',
    }),
    rotations: meter.createCounter('express_sid.rotations', {
      description: 'New secrets of sessions, and successors that nobody has used.',
    }),
    reuse: meter.createCounter('express_sid.reuse', {
      description: 'Outdated secrets that were used: copied cookies.',
    }),
    clientChanges: meter.createCounter('express_sid.client_changes', {
      description: 'Sessions used by another client, and whether that was refused.',
    }),
    binding: meter.createCounter('express_sid.binding', {
      description: 'Sessions bound to devices, and requests without a fresh bound cookie, by reason.',
    }),
    unawaited: meter.createCounter('express_sid.unawaited', {
      description: 'Calls of this package that failed, and that the application had not awaited.',
    }),
  }
  return (event) => {
    const [name, attributes] = countOf(event, loginReasons) ?? []
    if (name !== undefined) counters[name]?.add(1, attributes)
  }
}

function countOf(event: AnySessionEvent, loginReasons: readonly string[]): Count | undefined {
  switch (event.type) {
    case 'login':
      return ['logins', { outcome: 'ok', reason: 'none' }]
    case 'loginRefused':
      return ['logins', { outcome: 'refused', reason: reasonOf(event.reason, loginReasons) }]
    case 'logout':
      return ['ended', { cause: event.replaced ? 'login' : 'logout' }]
    case 'revoke':
    case 'expire':
      return ['ended', { cause: event.cause ?? event.type }]
    case 'rotate':
      return ['rotations', { result: 'rotated' }]
    case 'rotationUnused':
      return ['rotations', { result: 'unused' }]
    case 'reuse':
      return ['reuse', { ended: event.ended }]
    case 'clientChange':
      return ['clientChanges', { refused: event.refused }]
    case 'bind':
      return ['binding', { result: 'bound' }]
    case 'stale':
      return ['binding', { result: event.reason }]
    case 'unawaited':
      return ['unawaited', {}]
    default:
      return undefined
  }
}

function reasonOf(reason: string | undefined, known: readonly string[]): string {
  if (reason === undefined) return 'none'
  return known.includes(reason) ? reason : 'other'
}
