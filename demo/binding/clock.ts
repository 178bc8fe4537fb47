const readClock = Date.now.bind(Date)
let since = readClock()
let start = since
let speed = 1

/** From here on the time of this process passes so many times faster. */
export function runAt(times: number): void {
  start = Date.now()
  since = readClock()
  speed = times
}

Date.now = () => start + (readClock() - since) * speed
