import { withDeadline } from '../../lib/async/deadline.js'
import { cleanText } from '../../lib/text/clean-text.js'
import { warnOnce } from '../../lib/warn-once.js'
import type { Settings } from '../settings.js'

const MAX_CHARACTERS = 100

/**
 * The place of an address, as the application names it (`describeAddress`); `undefined` where it has no name for it. A
 * failure is no reason to refuse a login: then there is none, and the process is warned once.
 */
export async function placeOf(
  ip: string,
  { describeAddress, storeTimeout }: Pick<Settings, 'describeAddress' | 'storeTimeout'>,
): Promise<string | undefined> {
  if (describeAddress === undefined || ip === '') return undefined
  try {
    const place = await withDeadline(() => describeAddress(ip), storeTimeout)
    if (typeof place === 'string') return cleanText(place, MAX_CHARACTERS) || undefined
    if (place !== undefined && place !== null) throw new TypeError(`it returned ${typeof place}, not a text`)
  } catch (error) {
    warnOnce(
      'SID_DESCRIBE_ADDRESS',
      'describeAddress failed, so a login has no place. It must return a text, or nothing where it knows none. ' +
        `It failed with ${String(error)}`,
    )
  }
  return undefined
}
