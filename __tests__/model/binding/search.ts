import { challengeKeyOf, type Keyed, type Rules } from './rules.js'
import {
  canonical,
  copyOf,
  LIVES_ON,
  LOCKED_OUT,
  REFUSED,
  type Bounds,
  type Value,
  type World,
} from './world.js'

export interface Result {
  /** Each rule that is broken, with the shortest way there. */
  readonly broken: ReadonlyMap<string, readonly string[]>
  readonly states: number
  readonly arrivals: number
  readonly bindings: number
}

/**
 * Follows every order of events, breadth first.
 *
 * @param enough how many broken rules end the search.
 */
export function search(rules: Rules, bounds: Bounds, enough = Infinity): Result {
  return new Search(rules, bounds).run(enough)
}

class Search {
  readonly #broken = new Map<string, readonly string[]>()
  readonly #from = new Map<string, [before: string, event: string] | undefined>()
  readonly #queue: [World, text: string][] = []
  /** What the moment that is looked at is known by. */
  #text = ''
  #arrivals = 0
  #bindings = 0

  constructor(
    private readonly rules: Rules,
    private readonly bounds: Bounds,
  ) {}

  run(enough: number): Result {
    const first: World = {
      now: 0,
      binding: this.rules.login(0),
      fresh: 1,
      browser: { isBinding: false, cookie: undefined, challenge: undefined },
      registration: { stage: this.bounds.browser === 'none' ? 'over' : 'todo' },
      refresh: undefined,
      requests: [],
      copied: undefined,
      lost: 0,
      badProofs: 0,
    }
    this.#text = canonical(first)
    this.#from.set(this.#text, undefined)
    this.#queue.push([first, this.#text])
    for (let head = 0; head < this.#queue.length && this.#broken.size < enough; head += 1) {
      const [world, text] = this.#queue[head]!
      this.#queue[head] = undefined as never
      this.#text = text
      this.#atRest(world)
      this.#register(world)
      this.#refresh(world)
      this.#request(world)
      if (this.bounds.thief) this.#steal(world)
      this.#tick(world)
    }
    const counts = { arrivals: this.#arrivals, bindings: this.#bindings }
    return { broken: this.#broken, states: this.#from.size, ...counts }
  }

  /** The world after an event that may be the next. */
  #then(world: World, event: string, change: (next: World) => void): void {
    const next = copyOf(world)
    change(next)
    const text = canonical(next)
    if (this.#from.has(text)) return
    this.#from.set(text, [this.#text, `${world.now}: ${event}`])
    this.#queue.push([next, text])
  }

  #breaks(rule: string, world: World, event: string): void {
    if (this.#broken.has(rule)) return
    const path = [`${world.now}: ${event}`]
    for (let step = this.#from.get(this.#text); step !== undefined; step = this.#from.get(step[0])) {
      path.unshift(step[1])
    }
    this.#broken.set(rule, path)
  }

  #admits({ binding, now }: World, value: Value): boolean {
    return binding !== 'ended' && this.rules.admits(binding, value, now, this.bounds)
  }

  /** While nothing of the protocol is under way, the browser's cookies must do, or it must be able to renew them. */
  #atRest(world: World): void {
    const { binding, browser, registration, refresh } = world
    if (refresh !== undefined || registration.stage === 'sent' || registration.stage === 'answered') return
    const canRenew =
      browser.cookie === undefined &&
      browser.isBinding &&
      binding !== 'ended' &&
      challengeKeyOf(binding) !== undefined
    if (!this.#admits(world, browser.cookie?.value) && !canRenew) this.#breaks(LOCKED_OUT, world, 'at rest')
  }

  #register(world: World): void {
    const { registration, binding } = world
    const canLose = world.lost < this.bounds.losses
    if (registration.stage === 'todo') {
      this.#then(world, 'the key is sent', (next) => (next.registration = { stage: 'sent' }))
      if (canLose) this.#then(world, 'the key is lost', (next) => lose(next, { stage: 'over' }))
    }
    if (registration.stage === 'sent' && binding !== 'ended') {
      const { fresh, now } = world
      const done = this.rules.register(binding, fresh, now, this.bounds)
      this.#then(world, done ? 'the key is registered' : 'the key is refused', (next) => {
        next.registration = { stage: 'over' }
        if (done === undefined) return
        next.binding = done.binding
        next.fresh += 1
        const challenge = challengeKeyOf(done.binding)
        next.registration = { stage: 'answered', age: 0, cookie: done.cookie, challenge }
      })
    }
    if (registration.stage === 'answered') {
      const { cookie, challenge } = registration
      this.#then(world, 'the registration is answered', (next) => {
        next.registration = { stage: 'over' }
        next.browser.isBinding = this.bounds.browser === 'binds'
        next.browser.challenge = challenge
        if (cookie !== undefined) next.browser.cookie = { value: cookie, left: this.bounds.ttl }
      })
      if (canLose) {
        this.#then(world, 'the answer is lost', (next) => lose(next, { stage: 'over' }))
        this.#then(world, 'the answer is lost: the key is sent again', (next) =>
          lose(next, { stage: 'sent' }),
        )
      }
    }
  }

  #refresh(world: World): void {
    const { browser, refresh, binding } = world
    const isDue = browser.cookie === undefined || browser.cookie.left <= 2
    if (browser.isBinding && refresh === undefined && isDue) {
      this.#then(world, 'the browser renews', (next) => {
        next.refresh = { stage: 'proof', challenge: browser.challenge }
      })
    }
    if (refresh?.stage === 'proof' && binding !== 'ended') this.#prove(world, binding, refresh.challenge)
    if (refresh?.stage === 'challenge') {
      this.#then(world, 'the new challenge is signed', (next) => {
        next.browser.challenge = refresh.challenge
        next.refresh = { stage: 'proof', challenge: refresh.challenge }
      })
    }
    if (refresh?.stage !== 'answer') return
    this.#then(world, 'the new cookie arrives', (next) => {
      next.browser.cookie = { value: refresh.cookie, left: this.bounds.ttl }
      next.browser.challenge = refresh.challenge
      next.refresh = undefined
    })
    if (world.lost >= this.bounds.losses) return
    this.#then(world, 'the new cookie is lost: the same proof is sent again', (next) => {
      next.lost += 1
      next.refresh = { stage: 'proof', challenge: browser.challenge }
    })
    this.#then(world, 'the new cookie is lost: given up', (next) => {
      next.lost += 1
      next.refresh = undefined
    })
  }

  #prove(world: World, binding: Exclude<World['binding'], 'ended'>, challenge: Value): void {
    const current = challengeKeyOf(binding)
    if (challenge === current) {
      if (binding.state === 'registered') this.#bindings += 1
      this.#then(world, 'the proof is good', (next) => {
        next.binding = this.rules.refresh(binding as Keyed, world.fresh, world.now, this.bounds)
        next.fresh += 1
        const after = challengeKeyOf(next.binding)
        next.refresh = { stage: 'answer', age: 0, cookie: world.fresh, challenge: after }
      })
    } else if (this.rules.endsOnOldChallenge === true) {
      this.#then(world, 'the challenge is old: the browser gives up', (next) => {
        next.refresh = undefined
        next.browser.isBinding = false
      })
    } else {
      this.#then(world, 'the challenge is old: a new one', (next) => {
        next.refresh = { stage: 'challenge', challenge: current }
      })
    }
  }

  /** A request leaves with the cookies of that moment. A browser without a bound cookie renews first. */
  #request(world: World): void {
    const { browser, requests, binding } = world
    const mustWait = browser.isBinding && browser.cookie === undefined
    if (requests.length < this.bounds.requests && !mustWait) {
      const value = browser.cookie?.value
      this.#then(world, `a request leaves with ${value}`, (next) => next.requests.push({ value, age: 0 }))
    }
    for (const [at, { value, age }] of requests.entries()) {
      this.#arrivals += 1
      if (!this.#admits(world, value))
        this.#breaks(REFUSED, world, `a request with ${value} arrives after ${age}`)
      this.#then(world, `the request with ${value} arrives`, (next) => {
        next.requests.splice(at, 1)
        if (binding === 'ended') return
        next.binding = this.rules.arrived?.(binding, value, world.now) ?? binding
      })
    }
  }

  #steal(world: World): void {
    const { copied, binding, browser } = world
    const { ttl, slack } = this.bounds
    if (copied === undefined) {
      const value = browser.cookie?.value
      this.#then(world, `a thief copies ${value}`, (next) => (next.copied = { value, age: 0 }))
    } else if (binding !== 'ended' && binding.state === 'bound') {
      const isOver = copied.age > ttl + slack && world.now - binding.boundAt > slack
      if (isOver && this.#admits(world, copied.value)) {
        this.#breaks(LIVES_ON, world, `the thief is let in after ${copied.age}`)
      }
    }
    if (world.badProofs > 0 || binding === 'ended' || binding.state === 'offered') return
    this.#then(world, 'a thief sends a proof by another key', (next) => {
      next.badProofs += 1
      next.binding = this.rules.badProof?.(binding, world.fresh) ?? binding
      next.fresh += 1
    })
  }

  /** Time passes, unless something would come later than the bounds say. */
  #tick(world: World): void {
    const { responseDelay, headerAge, horizon } = this.bounds
    const { registration, refresh } = world
    const isLate =
      (registration.stage === 'answered' && registration.age >= responseDelay) ||
      (refresh?.stage === 'answer' && refresh.age >= responseDelay) ||
      world.requests.some(({ age }) => age >= headerAge)
    if (world.now >= horizon || isLate) return
    this.#then(world, 'time passes', (next) => {
      next.now += 1
      if (next.registration.stage === 'answered') next.registration.age += 1
      if (next.refresh?.stage === 'answer') next.refresh.age += 1
      for (const one of next.requests) one.age += 1
      if (next.copied) next.copied.age += 1
      const { cookie } = next.browser
      if (cookie && (cookie.left -= 1) <= 0) next.browser.cookie = undefined
    })
  }
}

function lose(next: World, registration: World['registration']): void {
  next.lost += 1
  next.registration = registration
}
