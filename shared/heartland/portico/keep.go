package portico

import "strings"

// groups are elements that only hold others.
var groups = set("Data AdditionalTxnFields SAFData MultiFulfillmentData")

// keep lists every element of a report that may be stored. What is not here is dropped before the disk: names and addresses of
// cardholders, tokens that could be charged, checks, gift card numbers, EMV data, the gateway user's name, and whatever a later version of
// the gateway adds (PCI DSS 3.2.1).
var keep = set(`
	GatewayTxnId ClientTxnId OriginalGatewayTxnId x_global_transaction_id
	SiteId DeviceId ProcessedSiteId ProcessedDeviceId AuthenticatedSiteId AuthenticatedDeviceId UniqueDeviceId MerchNbr MerchName TermOrdinal
	ClerkID ServiceName PaymentType GatewayRspCode GatewayRspMsg Status TxnStatus IssuerRspCode IssuerRspText RspCode RspText
	TxnUtcDT TxnDT ReqUtcDT ReqDT RspUtcDT RspDT TzConversion SiteTrace
	MaskedCardNbr TokenPANLast4 CardType CardSwiped CardPresent ReaderPresent DebitCreditInd SaleReturnInd
	Amt AuthAmt SettlementAmt GratuityAmtInfo CashbackAmtInfo SurchargeAmtInfo ConvenienceAmtInfo ShippingAmtInfo CPCTaxAmt
	ReturnAmtInfo ReversalAmtInfo IncrementalAuthAmtInfo CaptureAmtInfo FullyCapturedInd
	AuthCode RefNbr IssTxnId AVSRsltCode CVVRsltCode CPCInd CPCTaxType InvoiceNbr DirectMktInvoiceNbr EMVChipCondition HasEMVTag
	SAFIndicator SAFOrigDT
	BatchId BatchStatus BatchSeqNbr OpenUtcDT CloseUtcDT OpenDT CloseDT BatchCloseDT OpenTxnId CloseTxnId BatchTxnCnt BatchTxnAmt
	CreditCnt CreditAmt DebitCnt DebitAmt SaleCnt SaleAmt ReturnCnt ReturnAmt TotalCnt TotalAmt TotalGratuityAmtInfo TotalSurchargeAmtInfo
	HostBatchNbr HostBatchTxnCnt HostBatchTxnAmt HostTotalCnt HostTotalAmt
	RptStartUtcDT RptEndUtcDT TxnCnt TxnAmt BatchCnt BatchAmt`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
