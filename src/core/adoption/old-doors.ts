/** A way by which sessions of another system come in. */
export interface OldDoor {
  /** From now on nobody comes in by it as this user. */
  closeFor(userId: string): Promise<void>
}

/** Before all sessions of a user are ended: what another system still has of them must not come in afterwards. */
export async function closeFor(userId: string, doors: readonly OldDoor[]): Promise<void> {
  for (const door of doors) await door.closeFor(userId)
}
