import { afterAll, describe } from 'vitest';
import { accessContract } from './access-contract.ts';
import { backupContract } from './backup-contract.ts';
import { conversationContract } from './conversation-contract.ts';
import { encryptionContract } from './encryption-contract.ts';
import { openingContract } from './opening-contract.ts';
import { profileContract } from './profile-contract.ts';
import { sessionContract } from './session-contract.ts';
import { shareContract } from './share-contract.ts';
import { testEngines } from './stores.ts';

/** What every engine promises. */
for (const engine of testEngines()) {
  describe.skipIf(!engine.available)(`store on ${engine.name}`, () => {
    afterAll(() => engine[Symbol.asyncDispose]());

    openingContract(engine);
    sessionContract(engine);
    profileContract(engine);
    accessContract(engine);
    shareContract(engine);
    conversationContract(engine);
    encryptionContract(engine);
    backupContract(engine);
  });
}
