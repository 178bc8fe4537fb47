const warned = new Set<string>()

/** Says something to the owner of the process, once, however many requests or managers run into it. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'ExpressSidWarning', code })
}
