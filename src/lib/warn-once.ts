const warned = new Set<string>()

/**
 * Emits a warning of the process, once for each code, however often it is called.
 *
 * @example warnOnce('SID_MEMORY_STORE', 'memoryStore() keeps sessions in this process.')
 */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'ExpressSidWarning', code })
}
