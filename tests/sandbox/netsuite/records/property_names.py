"""The property names that NetSuite's records take, by kind of value.

Names and kinds as Oracle's REST API Browser lists them for 2026.1 (customer, account and currency: a 2025
metadata catalog). A sublist whose lines are not listed here takes any line: nothing reads it.

Kinds: `reference` {"id"} or {"externalId"}; `choice` an enumeration, {"id"} or its bare id; `choices` a
multi-select; `lines` a sublist {"items": [...]}; `date` YYYY-MM-DD; `moment` a UTC date-time; `flag`, `number`,
`whole`, `text`, `object`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

_SPECS = {
    "invoice": """
        choice: approvalStatus billCountry intercoStatus predictedPaymentDateAvailability source sourceSystem
            status type userEstimateSource whichChargesToAdd;
        date: asOfDate discountDate dueDate endDate predictedPaymentDate predictedPaymentDateLastUpdated
            prevDate saasCommitmentEndDate saasCommitmentStartDate salesEffectiveDate shipDate startDate
            taxPointDate tranDate userEstimatedPaymentDate;
        flag: canHaveStackable excludeCommission excludeFromGLNumbering expCostDiscPrint expCostDiscTaxable
            forInvoiceGrouping isMultiShipTo isTaxable itemCostDiscPrint itemCostDiscTaxable
            overrideInstallments recurringBill revRecOnRevCommitment sendOrderFulfillmentEmail shipIsResidential
            shipOverride shippingCostOverridden syncPartnerTeams syncSalesTeams taxDetailsOverride
            taxPointDateOverride taxRegOverride timeDiscPrint timeDiscTaxable toBeEmailed toBeFaxed toBePrinted
            tranIsVsoeBundle vsoeAutoCalc;
        lines: accountingBookDetail appliedRules expCost giftCertRedemption installment item itemCost partners
            promotions salesTeam shipGroup taxDetails time;
        moment: createdDate lastModifiedDate;
        number: altHandlingCost altShippingCost amountPaid amountRemaining amountRemainingTotalBox
            deferredRevenue discountAmount discountRate discountTotal estGrossProfit estGrossProfitPercent
            exchangeRate expCostDiscAmount expCostDiscRate expCostDiscTax1Amt expCostTaxRate1 expCostTaxRate2
            giftCertApplied handlingCost handlingTax1Rate handlingTax2Rate handlingTaxAmount itemCostDiscAmount
            itemCostDiscRate itemCostDiscTax1Amt itemCostTaxRate1 itemCostTaxRate2 recognizedRevenue
            shippingCost shippingTax1Rate shippingTax2Rate shippingTaxAmount subtotal tax2Total taxRate taxTotal
            timeDiscAmount timeDiscRate timeDiscTax1Amt timeTaxRate1 timeTaxRate2 total totalAfterTaxes
            totalCostEstimate;
        object: billingAddress shippingAddress;
        reference: account billAddressList billingAccount bulkProcSubmission class couponCode createdFrom
            currency customForm deletionReason department discountItem entity expCostDiscount expCostTaxCode
            groupedTo handlingTaxCode intercoTransaction itemCostDiscount itemCostTaxCode job leadSource
            location messageSel nextApprover nexus opportunity partner postingPeriod primaryBookBaseCurrency
            promoCode salesChannel salesGroup salesRep shipAddressList shipMethod shippingTaxCode sourceWebSite
            subsidiary taxItem terms timeDiscount timeTaxCode;
        text: abbrevType billAddr1 billAddr2 billAddr3 billAddress billAddressee billAttention billCity
            billOverride billPhone billState billZip billingAddress_text contribPct defaultILBAShipAddrVal
            defaultILBAShippingAddressKey deletionReasonMemo email entityTaxRegNum externalId fax fob id
            linkedTrackingNumbers memo message muccPromoCodeInstance oppcreatedfrom oppcreatedfromtitle
            originator otherRefNum paymentlink previousOpportunity promoCodePluginImpl refName revCommitStatus
            revCommitStatusDescr revenueStatus revenueStatusDescr saleschannelorderpriority shipAddress
            shippingAddress_text storeOrder subsidiaryTaxRegNum thirdPartyAcct trackingNumbers tranId
            transactionNumber vatRegNum webSite;
        whole: defaultILShipMethKey estimate number predictedOverdueDays prevPartner prevRep;
    """,
    "invoice.accountingBookDetail": """
        flag: revRecOnRevCommitment tranIsVsoeBundle;
        number: exchangeRate;
        reference: accountingBook currency;
        text: refName;
    """,
    "invoice.item": """
        choice: billVarianceStatus costEstimateType itemFulfillmentChoice itemSubtype itemType shipCarrier
            vsoeDeferral vsoePermitDiscount vsoeSOPGroup;
        date: expirationDate revRecEndDate revRecStartDate;
        flag: deferRevRec doNotCreateRevenueElement excludeFromRateRequest isCatchWeightItem isClosed isOpen
            isTaxable itemIsFulfilled linked marginal printItems processedByRevCommit vsoeDelivered
            vsoeIsEstimate;
        number: amount amountOrdered baseGrossAmt costEstimate costEstimateRate currentPercent estGrossProfit
            estGrossProfitPercent grossAmt lastPurchasePrice minQty primaryToSecondaryUnitConversionRate
            quantity quantityAllocated quantityAvailable quantityCommitted quantityDemandAllocated
            quantityFulfilled quantityOnHand quantityOrdered quantityPacked quantityPicked quantityReceived
            quantityRemaining quantityRemainingDisplay rate rateIncludingTax secondaryQuantity
            secondaryUnitConversionRate tax1Amt taxAmount taxRate1 taxRate2 vsoeAllocation vsoeAmount vsoePrice;
        object: inventoryDetail;
        reference: account catchUpPeriod chargeType class department item job location orderDoc price
            revRecSchedule shipAddress shipMethod subscription subscriptionLine subsidiary taxCode;
        text: binNumbers description giftCertFrom giftCertMessage giftCertNumber giftCertRecipientEmail
            giftCertRecipientName initOqpBucket licenseCode lineUniqueKey matrixType options oqpBucket
            rateSchedule refName revrec_recurrencetype secondaryUnits secondaryUnitsList serialNumbers
            taxDetailsReference units;
        whole: line orderLine revRecTermInMonths shipGroup uniqueKey;
    """,
    "invoice.taxDetails": """
        choice: taxDetailsReference;
        number: netAmount taxAmount taxBasis taxRate;
        reference: taxCode;
        text: calcDetail lineName lineType refName taxType;
    """,
    "creditMemo": """
        choice: billCountry intercoStatus source sourceSystem status type whichChargesToAdd;
        date: asOfDate discountDate dueDate endDate prevDate salesEffectiveDate shipDate startDate taxPointDate
            tranDate;
        flag: autoApply canHaveStackable excludeCommission excludeFromGLNumbering isMultiShipTo isTaxable
            recurringBill revRecOnRevCommitment shipIsResidential shipOverride shippingCostOverridden
            syncPartnerTeams syncSalesTeams taxDetailsOverride taxPointDateOverride taxRegOverride toBeEmailed
            toBeFaxed toBePrinted tranIsVsoeBundle vsoeAutoCalc;
        lines: accountingBookDetail appliedRules apply item partners promotions salesTeam shipGroup taxDetails;
        moment: createdDate lastModifiedDate;
        number: altHandlingCost altShippingCost amountPaid amountRemaining amountRemainingTotalBox applied
            deferredRevenue discountAmount discountRate discountTotal estGrossProfit estGrossProfitPercent
            exchangeRate handlingCost handlingTax1Rate handlingTax2Rate handlingTaxAmount recognizedRevenue
            shippingCost shippingTax1Rate shippingTax2Rate shippingTaxAmount subtotal tax2Total taxRate taxTotal
            total totalAfterTaxes totalCostEstimate unapplied;
        object: billingAddress shippingAddress;
        reference: account billAddressList billingAccount bulkProcSubmission class couponCode createdFrom
            currency customForm deletionReason department discountItem entity handlingTaxCode intercoTransaction
            job leadSource location messageSel nexus partner postingPeriod primaryBookBaseCurrency promoCode
            salesGroup salesRep shipAddressList shipMethod shippingTaxCode subsidiary taxItem terms;
        text: abbrevType billAddr1 billAddr2 billAddr3 billAddress billAddressee billAttention billCity
            billOverride billPhone billState billZip billingAddress_text contribPct defaultILBAShipAddrVal
            defaultILBAShippingAddressKey deletionReasonMemo email entityTaxRegNum externalId fax id memo
            message muccPromoCodeInstance originator otherRefNum promoCodePluginImpl refName revCommitStatus
            revCommitStatusDescr revenueStatus revenueStatusDescr salesReturn shipAddress shippingAddress_text
            storeOrder subsidiaryTaxRegNum tranId transactionNumber vatRegNum webSite;
        whole: defaultILShipMethKey number prevPartner prevRep;
    """,
    "creditMemo.accountingBookDetail": """
        flag: revRecOnRevCommitment tranIsVsoeBundle;
        number: exchangeRate;
        reference: accountingBook currency;
        text: refName;
    """,
    "creditMemo.apply": """
        date: applyDate;
        flag: apply;
        number: amount due total;
        reference: doc;
        text: createdFrom currency jobName refName refNum type;
        whole: job line;
    """,
    "creditMemo.item": """
        choice: costEstimateType itemSubtype itemType shipCarrier vsoeDeferral vsoePermitDiscount vsoeSOPGroup;
        date: expirationDate revRecEndDate revRecStartDate;
        flag: deferRevRec doNotCreateRevenueElement isClosed isDropShipment isOpen isTaxable itemIsFulfilled
            linked marginal printItems processedByRevCommit vsoeDelivered vsoeIsEstimate;
        number: amount baseGrossAmt costEstimate costEstimateRate estGrossProfit estGrossProfitPercent grossAmt
            minQty quantity quantityAllocated quantityAvailable quantityCommitted quantityDemandAllocated
            quantityOnHand rate rateIncludingTax tax1Amt taxAmount taxRate1 taxRate2 vsoeAllocation vsoeAmount
            vsoePrice;
        object: inventoryDetail;
        reference: account catchUpPeriod chargeType class department item job location orderDoc price
            revRecSchedule shipAddress shipMethod subscription subscriptionLine subsidiary taxCode;
        text: binNumbers description giftCertFrom giftCertMessage giftCertNumber giftCertRecipientEmail
            giftCertRecipientName initOqpBucket licenseCode lineUniqueKey matrixType options oqpBucket
            rateSchedule refName revrec_recurrencetype serialNumbers taxDetailsReference units;
        whole: line orderLine revRecTermInMonths shipGroup uniqueKey;
    """,
    "creditMemo.taxDetails": """
        choice: taxDetailsReference;
        number: netAmount taxAmount taxBasis taxRate;
        reference: taxCode;
        text: calcDetail lineName lineType refName taxType;
    """,
    "customerPayment": """
        choice: handlingMode paymentOperation status undepFunds;
        date: clearedDate prevDate tranDate;
        flag: autoApply cleared excludeFromGLNumbering toBeEmailed;
        lines: accountingBookDetail appliedRules apply credit deposit;
        moment: createdDate lastModifiedDate;
        number: applied balance consolidateBalance exchangeRate payment paymentInstrumentLimit pending
            refundedAmountTotalBox total unapplied;
        reference: account arAcct cardholderAuthentication class currency customForm customer
            customerPaymentAuthorization deletionReason department location nexus paymentOption
            paymentProcessingProfile postingPeriod primaryBookBaseCurrency subsidiary transactionToRefund;
        text: cardSwipe checkNumber debitKsn debitPinBlock deletionReasonMemo dynamicDescriptor externalId id
            inputReferenceCode integrationId memo originator outputAuthCode outputReferenceCode paymentCardCsc
            paymentDeviceId refName tranId transactionNumber;
    """,
    "customerPayment.apply": """
        date: applyDate;
        flag: apply;
        number: amount due total;
        reference: doc;
        text: createdFrom currency jobName refName refNum type;
        whole: job line;
    """,
    "customerPayment.credit": """
        date: creditDate;
        flag: apply;
        number: amount due total;
        reference: doc;
        text: appliedTo createdFrom currency refName refNum type;
        whole: line;
    """,
    "customerPayment.deposit": """
        date: depositDate;
        flag: apply;
        number: amount remaining total;
        reference: doc;
        text: currencyName refName refNum;
    """,
    "customerRefund": """
        choice: handlingMode paymentOperation status;
        date: clearedDate prevDate tranDate;
        flag: cleared excludeFromGLNumbering toBePrinted;
        lines: accountingBookDetail apply deposit;
        moment: createdDate lastModifiedDate;
        number: balance consolidateBalance exchangeRate paymentInstrumentLimit total;
        object: payeeAddress;
        reference: account arAcct cardholderAuthentication class currency customForm customer
            customerPaymentAuthorization deletionReason department location nexus payeeAddressList paymentOption
            paymentProcessingProfile postingPeriod primaryBookBaseCurrency subsidiary transactionToRefund
            voidJournal;
        text: address cardSwipe checkNumber debitKsn debitPinBlock deletionReasonMemo dynamicDescriptor
            externalId id inputReferenceCode integrationId memo outputAuthCode outputReferenceCode
            payeeAddress_text paymentCardCsc paymentDeviceId refName tranId transactionNumber;
    """,
    "customerRefund.apply": """
        date: applyDate;
        flag: apply;
        number: amount due total;
        reference: doc;
        text: createdFrom currency jobName refName refNum type;
        whole: job line;
    """,
    "customerRefund.deposit": """
        date: depositDate;
        flag: apply;
        number: amount remaining total;
        reference: doc;
        text: currencyName refName refNum;
    """,
    "deposit": """
        date: clearedDate prevDate tranDate;
        flag: cleared excludeFromGLNumbering isBaseCurrency toBePrinted;
        lines: accountingBookDetail appliedRules cashback other payment;
        moment: createdDate lastModifiedDate;
        number: exchangeRate total;
        reference: account class creditCardProcessor currency customForm deletionReason department location
            postingPeriod primaryBookBaseCurrency subsidiary;
        text: deletionReasonMemo externalId id memo refName tranCurrencyName tranId transactionNumber
            updateCurrency;
        whole: currencyPrecision;
    """,
    "deposit.accountingBookDetail": """
        flag: revRecOnRevCommitment tranIsVsoeBundle;
        number: exchangeRate;
        reference: accountingBook currency;
        text: refName;
    """,
    "deposit.cashback": """
        number: amount;
        reference: account class department location;
        text: line memo refName;
    """,
    "deposit.other": """
        number: amount;
        reference: account class department entity location paymentMethod;
        text: line memo methCash methCheck refName refNum;
    """,
    "deposit.payment": """
        choice: type;
        date: docDate;
        flag: deposit;
        number: paymentAmount transactionAmount;
        reference: class currency department entity location paymentMethod;
        text: docNumber memo pmtCurrencyPrecision pmtMethCash pmtMethCheck pmtUrl refName refNum;
        whole: id lineId;
    """,
    "accountingPeriod": """
        date: closedOnDate endDate startDate;
        flag: allLocked allowNonGLChanges apLocked arLocked closed isAdjust isInactive isPosting isQuarter
            isYear payrollLocked;
        lines: fiscalCalendars perBookPeriodClosing;
        moment: lastModifiedDate;
        reference: fiscalCalendar parent;
        text: externalId id periodName refName;
    """,
    "accountingPeriod.fiscalCalendars": """
        reference: fiscalCalendar parent;
        text: refName;
    """,
    "accountingPeriod.perBookPeriodClosing": """
        flag: periodClosed;
        reference: accountingBook;
        text: refName;
    """,
    "discountItem": """
        choice: itemType;
        flag: availableToPartners includeChildren isInactive isPreTax nonPosting parentOnly;
        lines: subsidiary translations;
        moment: createdDate lastModifiedDate;
        number: rate;
        reference: account class customForm department issueProduct location parent salesTaxCode taxSchedule;
        text: description displayName externalId id itemId refName upcCode vendorName;
    """,
    "serviceSaleItem": """
        choice: VSOEDeferral VSOEPermitDiscount VSOESopGroup insertItemAttribute itemType matrixType
            outOfStockBehavior overallQuantityPricingType siteMapPriority softDescriptor storeItemTemplate
            subtype;
        date: tracksaasmetricsenddate tracksaasmetricsstartdate;
        flag: VSOEDelivered autoExpandKitForRevenuemgmt availableToPartners contingentRevenueHandling createJob
            deferRevRec directRevenuePosting dontShowPrice enforceminqtyinternally excludeFromSiteMap
            includeChildren isDonationItem isFulfillable isGCoCompliant isInactive isOnline isTaxable
            offerSupport onSpecial parentOnly pricesIncludeTax showDefaultDonationAmount tracksaasmetrics
            useMarginalRates;
        lines: accountingBookDetail correlatedItems hierarchyVersions itemOptions itemTaskTemplates
            presentationItem price siteCategory subsidiary translations;
        moment: createdDate lastModifiedDate;
        number: VSOEPrice costEstimate costForPricing maxDonationAmount rate rateIncludingTax residual;
        reference: amortizationTemplate billExchRateVarianceAcct billPriceVarianceAcct billQtyVarianceAcct
            billingSchedule class costCategory createExpensePlansOn createRevenuePlansOn customForm
            deferralAccount deferredRevenueAccount department expenseAmortizationRule incomeAccount issueProduct
            itemRevenueCategory location parent pricingGroup projectExpenseType projectTemplate
            quantityPricingSchedule revRecForecastRule revRecSchedule revReclassFxAccount revenueAllocationGroup
            revenueRecognitionRule salesTaxCode storeDisplayImage storeDisplayThumbnail taxSchedule unitsType;
        text: baseUnit consumptionUnit costEstimateUnits description displayName externalId featuredDescription
            id itemId matrixItemNameTemplate matrixItemNameTemplateHelp metaTagHtml noPriceMessage
            outOfStockMessage pageTitle refName relatedItemsDescription saleUnit salesDescription searchKeywords
            storeDescription storeDetailedDescription storeDisplayName upcCode urlComponent;
        whole: amortizationPeriod internalId maximumquantity minimumquantity;
    """,
    "paymentMethod": """
        choice: methodType undepFunds;
        flag: isDebitCard isInactive isLineLevelDataRequired isOnline;
        lines: cardBrands countries merchantAccounts visuals;
        moment: lastModifiedDate;
        reference: account;
        text: externalId id longitemtype name refName tname;
    """,
    "paymentMethod.visuals": """
        text: flags location refName;
    """,
    "customer": """
        choice: alcoholRecipientType billingTransactionForm billingTransactionType creditHoldOverride customForm
            emailPreference negativeNumberFormat numberFormat shippingCarrier thirdPartyCarrier
            thirdPartyCountry;
        choices: contactList;
        date: endDate firstOrderDate firstSaleDate lastOrderDate lastSaleDate openingBalanceDate startDate;
        flag: autoName emailTransactions faxTransactions giveAccess groupInvoices
            isAutogeneratedRepresentingEntity isBudgetApproved isInactive isPerson printTransactions sendEmail
            shipComplete;
        lines: addressBook contactRoles currencyList groupPricing itemPricing;
        moment: dateCreated lastModifiedDate;
        number: aging aging1 aging2 aging3 aging4 balance creditLimit defaultOrderPriority depositBalance
            estimatedBudget openingBalance overdueBalance unbilledOrders;
        reference: assignedWebSite billingRateCard billingSchedule buyingReason buyingTimeFrame category contact
            currency defaultBankAccount drAccount entityStatus image leadSource openingBalanceAccount parent
            partner prefCcProcessor priceLevel receivablesAccount representingSubsidiary salesReadiness salesRep
            shippingItem sourceWebSite subsidiary terms territory topLevelParent;
        text: accountNumber altEmail altPhone comments companyName defaultAddress defaultShippingAddress email
            entityId externalId fax firstName homePhone id lastName middleName mobilePhone password password2
            phone printOnCheckAs refName resaleNumber salutation searchStage thirdPartyAcct thirdPartyZipCode
            title url;
        whole: daysOverdue reminderDays;
    """,
    "customer.contactRoles": """
        flag: giveAccess;
        reference: contact role;
        text: contactName email password passwordConfirm refName;
    """,
    "customer.groupPricing": """
        reference: group level;
        text: refName;
    """,
    "customer.itemPricing": """
        number: price;
        reference: currency item level;
        text: refName;
    """,
    "customer.currencyList": """
        choice: symbolPlacement;
        flag: overrideCurrencyFormat;
        number: balance depositBalance overdueBalance unbilledOrders;
        reference: currency;
        text: displaySymbol refName;
    """,
    "customer.addressBook": """
        flag: defaultBilling defaultShipping isResidential;
        moment: lastModifiedDate;
        reference: addressBookAddress;
        text: addressBookAddress_text addressId label refName;
        whole: id internalId;
    """,
    "account": """
        choice: acctType cashFlowRate generalRate sSpecAcct;
        choices: subsidiary;
        date: tranDate;
        flag: eliminate includeChildren inventory isInactive isSummary reconcileWithMatching revalue;
        lines: accountContextSearch localizations;
        moment: lastModifiedDate;
        number: openingBalance;
        reference: billableExpensesAcct category1099Misc class currency deferralAcct department location parent
            unitsType;
        text: accountSearchDisplayName accountSearchDisplayNameCopy acctName acctNumber description
            displayNameWithHierarchy externalId fullName id refName sBankCompanyId sBankName sBankRoutingNumber
            unit;
        whole: curDocNum;
    """,
    "account.accountContextSearch": """
        reference: accountingcontext;
        text: acctname acctnumber refName;
    """,
    "account.localizations": """
        reference: accountingcontext;
        text: acctname acctnumber legalName refName;
    """,
    "currency": """
        choice: fxRateUpdateTimezone locale symbolPlacement;
        flag: includeInFxRateUpdates isAnchorCurrency isBaseCurrency isInactive overrideCurrencyFormat;
        moment: lastModifiedDate;
        number: exchangeRate;
        text: displaySymbol externalId formatSample id name refName symbol;
        whole: currencyPrecision;
    """,
    "subsidiary": """
        flag: isElimination isInactive;
        reference: currency parent;
        moment: lastModifiedDate;
        text: country email externalId id legalName name refName url;
    """,
}

_LEGACY_LACKS = re.compile("^tax|Tax|^nexus$")
_MAY_BE_TAXABLE = "isTaxable"

RECORDS = frozenset(name for name in _SPECS if "." not in name)
"""The records whose properties are known."""


@cache
def properties(record: str, legacy_tax: bool = False) -> Mapping[str, str]:
    """Property name -> kind, of a record ("invoice") or of the lines of a sublist ("invoice.item").

    On legacy tax the names about tax are gone: REST web services do not support it (Oracle's help,
    section_159665260887).
    """
    found: dict[str, str] = {}
    for part in _SPECS[record].split(";"):
        kind, _, names = part.partition(":")
        for name in names.split():
            if not legacy_tax or name == _MAY_BE_TAXABLE or not _LEGACY_LACKS.search(name):
                found[name] = kind.strip()
    return found


def line_properties(record: str, sublist: str, legacy_tax: bool = False) -> Mapping[str, str] | None:
    """The properties of a sublist's lines; None if it takes any line."""
    name = f"{record}.{sublist}"
    return properties(name, legacy_tax) if name in _SPECS else None
