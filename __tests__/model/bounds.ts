import type { Bounds } from './world.js'

/** The smallest world in which everything can happen. The grace is just what the timing condition asks for. */
export const small: Bounds = {
  rotateEvery: 6,
  rotationGrace: 3,
  crashLoses: 1,
  headerAge: 1,
  responseDelay: 1,
  horizon: 14,
  requests: 2,
  crashes: 1,
  writes: 1,
  nearCache: false,
}
