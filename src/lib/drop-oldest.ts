/**
 * Removes the entries that were added first until at most `max` are left. A Map keeps the order of insertion.
 *
 * @example dropOldest(reportedAt, 10_000)
 */
export function dropOldest(map: Map<unknown, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
