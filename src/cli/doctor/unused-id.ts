/** An id that no session has: its time is 1970. */
export function unusedId(count: number): string {
  return `00000000-0000-7000-8000-${String(count + 1).padStart(12, '0')}`
}
