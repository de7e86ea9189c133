// Copies of the projects in `tests/guests`, for tests that add to them.
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A copy of the project `guest`, which finds the repository's npm packages, with pages of
 * these names and texts, and more lines in its host.toml.
 */
export async function projectCopy(guest, { web = {}, settings = "" } = {}) {
  const folder = await mkdtemp(join(tmpdir(), `weir-${guest}-`));
  await cp(join(repository, "tests/guests", guest), folder, {
    recursive: true,
  });
  await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
  await mkdir(join(folder, "web"));
  for (const [name, text] of Object.entries(web)) {
    await writeFile(join(folder, "web", name), text);
  }
  await appendFile(
    join(folder, "host.toml"),
    `\n[web]\ndir = "web"\n${settings}`,
  );
  return {
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
