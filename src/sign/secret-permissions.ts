/** Mode bits of everybody who is neither owner nor in the group. */
const others = { read: 0o004, write: 0o002, enter: 0o001 } as const;

/**
 * What is too open about an ordinary folder of keys: that others than owner and group can read or change a key in it, or
 * put one there. Each line says what to do. Not meant for what kubelet mounts: its files are open to all in the container
 * by default, and the container is the boundary there.
 * @param modes of the files, by path
 */
export function opennessOf(
  folder: string,
  folderMode: number,
  modes: ReadonlyMap<string, number>,
): readonly string[] {
  const warnings: string[] = [];
  if ((folderMode & others.write) !== 0) {
    warnings.push(
      `every user of this machine can put keys into ${folder} (${octal(folderMode)}): chmod 700 ${folder}`,
    );
  }
  if ((folderMode & others.enter) === 0) return warnings;
  for (const [path, mode] of modes) {
    if ((mode & (others.read | others.write)) === 0) continue;
    const can = (mode & others.read) === 0 ? 'change' : 'read';
    warnings.push(`every user of this machine can ${can} ${path} (${octal(mode)}): chmod 600 ${path}`);
  }
  return warnings;
}

function octal(mode: number): string {
  return `mode ${(mode & 0o777).toString(8).padStart(4, '0')}`;
}
