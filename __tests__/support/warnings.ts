/** The texts of the warnings with this code that the process is given from now on, in place of the console. */
export function warningsOf(code: string): { now: () => string[]; stop: () => void } {
  const texts: string[] = []
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(((
    text: string,
    options?: { code?: string },
  ) => {
    if (options?.code === code) texts.push(text)
  }) as typeof process.emitWarning)
  return { now: () => [...texts], stop: () => emit.mockRestore() }
}
