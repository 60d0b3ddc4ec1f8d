export { type Explanation, type ExplainInput, explain } from './library/explain.ts';
export { type SignInput, type SignedExplanation, sign } from './library/sign.ts';
export { type Verification, type VerifiedRun, type VerifyInput, verify } from './library/verify.ts';
export { ChainsError, type ErrorCode } from './errors.ts';
