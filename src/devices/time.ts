const units = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/**
 * A time of the past in words, as long ago: the server knows no time zone of its reader. `undefined` for less than a
 * minute: a use is recorded some minutes late in any case.
 *
 * @example inWords(Date.now() - 180_000, 'en') // '3 minutes ago'
 */
export function inWords(time: number, lang: string): string | undefined {
  const ago = Date.now() - time
  const unit = units.find(([, ms]) => ago >= ms)
  if (unit === undefined) return undefined
  return new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }).format(-Math.floor(ago / unit[1]), unit[0])
}
