// cognito-srp-helper: the arithmetic only, by another author. The requests are written here, with plain fetch, so that
// the wire is seen without an SDK between. It knows client secrets.
import { createSecretHash, createSrpSession, signSrpSession, wrapAuthChallenge, wrapInitiateAuth } from 'cognito-srp-helper';

export const name = 'cognito-srp-helper';
export const knowsSecrets = true;

/** It keeps nothing. */
export const newStorage = () => ({});

export async function signIn({ endpoint, poolId, client, username, password, answer: given }) {
  const call = (operation, body) => request(endpoint, operation, body);
  // The hash is over the name typed in the first request, and over USER_ID_FOR_SRP in all later ones.
  const hashFor = (who) => (client.secret ? { SECRET_HASH: createSecretHash(who, client.id, client.secret) } : {});

  const session = createSrpSession(username, password, poolId, false);
  const begun = await call('InitiateAuth', wrapInitiateAuth(session, {
    AuthFlow: 'USER_SRP_AUTH',
    ClientId: client.id,
    AuthParameters: { USERNAME: username, ...hashFor(username) },
  }));
  const realName = begun.ChallengeParameters.USER_ID_FOR_SRP;
  let answer = await call('RespondToAuthChallenge', wrapAuthChallenge(signSrpSession(session, begun), {
    ClientId: client.id,
    ChallengeName: 'PASSWORD_VERIFIER',
    Session: begun.Session,
    ChallengeResponses: { USERNAME: realName, ...hashFor(realName) },
  }));
  if (answer.ChallengeName === 'SOFTWARE_TOKEN_MFA') {
    const code = await given('SOFTWARE_TOKEN_MFA');
    answer = await call('RespondToAuthChallenge', {
      ClientId: client.id,
      ChallengeName: 'SOFTWARE_TOKEN_MFA',
      Session: answer.Session,
      ChallengeResponses: { USERNAME: realName, SOFTWARE_TOKEN_MFA_CODE: code, ...hashFor(realName) },
    });
  }
  if (!answer.AuthenticationResult) {
    throw new Error(`unexpected challenge ${answer.ChallengeName}`);
  }
  const { IdToken, AccessToken, RefreshToken } = answer.AuthenticationResult;
  return { id: IdToken, access: AccessToken, refresh: RefreshToken };
}

async function request(endpoint, operation, body) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `AWSCognitoIdentityProviderService.${operation}` },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    const error = new Error(answer.message);
    error.name = answer.__type;
    throw error;
  }
  return answer;
}
