/** Fails each test of this file or block after which a rejection is left that nobody heard. */
export function expectNoUnhandledRejection(): void {
  let unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => unhandled.push(error)
  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })
}
