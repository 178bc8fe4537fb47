const warned = new Set<string>()

/** Names may come from data. Past so many there is enough to mend. */
const MAX_WARNINGS = 1_000

/**
 * Emits a warning of the process, once for each code, however often it is called.
 *
 * @param about what it is about, where one code stands for several things: then once for each of them.
 * @example warnOnce('SID_MEMORY_STORE', 'memoryStore() keeps sessions in this process.')
 */
export function warnOnce(code: string, message: string, about = ''): void {
  const key = `${code} ${about}`
  if (warned.has(key) || warned.size >= MAX_WARNINGS) return
  warned.add(key)
  process.emitWarning(message, { type: 'ExpressSidWarning', code })
}
