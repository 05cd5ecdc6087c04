export { createWallet } from './wallet-file.js';
export { startBidderPage, type BidderPage, type BidderPageOptions } from './start-bidder-page.js';
