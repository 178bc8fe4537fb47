/**
 * What a function of the application returns, or a rejection once it has taken too long.
 *
 * @param ms the milliseconds of the option `storeTimeout`, which the message names.
 * @example await withDeadline(() => loadUser(id), settings.storeTimeout)
 */
export async function withDeadline<T>(work: () => T, ms: number): Promise<Awaited<T>> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms (storeTimeout)`)), ms)
  })
  try {
    return await Promise.race([work(), tooLate])
  } finally {
    clearTimeout(timer)
  }
}
