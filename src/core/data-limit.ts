import { SessionError } from '../errors.js'
import { isTooDeep, nestedTooDeep } from '../lib/json/json.js'
import type { JsonObject } from '../record.js'

/**
 * Refuses data that has grown beyond the limit. What is there already may stay and may shrink, so that a lower limit
 * locks nobody out.
 *
 * @param before the data that it replaces.
 * @throws SessionError DATA_TOO_LARGE
 */
export function assertFits(data: JsonObject, before: JsonObject, maxDataBytes: number): void {
  // No limit: then it is not counted either. Who has none has looked at the depth.
  if (maxDataBytes === Number.MAX_SAFE_INTEGER) return
  const bytes = bytesOf(data)
  if (bytes <= maxDataBytes || bytes <= bytesOf(before)) return
  throw new SessionError(
    'DATA_TOO_LARGE',
    `The data of this session would take ${bytes} bytes as JSON, and maxDataBytes is ${maxDataBytes}. Keep large values ` +
      `in a database and only their ids here, or raise the option maxDataBytes. Nothing was written.`,
  )
}

/** UTF-8, as stores keep it. */
function bytesOf(data: JsonObject): number {
  // Asked before: some versions of V8 write JSON of any depth, and what is read of it later fails in the store.
  if (Object.values(data).some(isTooDeep)) throw nestedTooDeep(undefined)
  return Buffer.byteLength(JSON.stringify(data))
}
